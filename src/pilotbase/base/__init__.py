"""The base: one installation that wires the rooms below into verbs. Doors call these verbs and add no rules."""
