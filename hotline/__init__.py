"""The shared kernel: clock, ids, settings, event log, lease, broadcast, jobs, database, security.

Every room may import it; it imports no room and knows nothing of calls.
"""
