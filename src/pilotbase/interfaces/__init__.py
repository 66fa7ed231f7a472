"""The doors: command line now, service and console later. They call the verbs of the base and add no rules."""
