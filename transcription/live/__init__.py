"""What is said in talks that go on: recognised while it is recorded, kept in memory, shown until a transcript is."""
