"""The pack ``healthcare/covid-test-triage``: which specimens to run first."""
