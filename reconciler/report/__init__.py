"""REPORT: Plan, Outcomes, faults and errors -> words; renderers decide nothing and never print."""
