"""A step of load on any API, and a recording of what it did to the processes behind it."""
