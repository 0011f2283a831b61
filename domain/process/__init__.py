"""What follows from each fact, by whose fact it is; `domain/fulfilment.py` is the table."""
