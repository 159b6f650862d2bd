"""Resize and filter pictures: photographs come out upright, in the right colours, and without their location."""
