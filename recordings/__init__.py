"""Recordings: one sound file per answered call, a channel per party, sealed in a hash chain, kept by policy."""
