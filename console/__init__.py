"""The screens: what people see of the hotline, and the feed that keeps it fresh."""
