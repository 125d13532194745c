"""What was said: recordings become dialogues with speakers, times and confidence. Knows no call, no ticket."""
