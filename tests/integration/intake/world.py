"""What the tests of the intake send."""

AT = "2026-11-20T10:00:00Z"
SCAN = {"tracking": "T1", "scan_id": "s9", "status": "in_transit", "at": AT, "place": "Hull"}
