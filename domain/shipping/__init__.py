"""Shipping: a parcel's way from the label to the door, or back."""
