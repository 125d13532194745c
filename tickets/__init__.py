"""Tickets: what a citizen asked for, who has it now, and everything that happened to it."""
