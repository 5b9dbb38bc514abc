"""Reports for people and programs: tables, coloured diagnostics and JSON."""
