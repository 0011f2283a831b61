"""The world outside: each a small Protocol, a real adapter when there is one, and a simulator."""
