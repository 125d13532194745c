"""The IVR room: which line a dialled number is, and what its caller hears until a person or an end is reached.

It decides and renders; it knows no channel, no seat and no ticket. Who plays and who queues is told by actions.
"""
