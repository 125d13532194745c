"""Makes a small, genuine Vosk model for Mandarin hotline phrases from the speech of the local espeak-ng.

Nothing is downloaded, and neither Kaldi nor OpenFst is needed: numpy trains the net, scipy shapes the telephone
line, and the few binary formats are written here. The same espeak-ng and numpy give the same bytes.
"""
