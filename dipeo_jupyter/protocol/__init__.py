"""What is said: events (facts that happened) and commands (wishes, which may be refused).

The same models travel on the wire, stand in the journal, and are what state is the sum of.
"""
