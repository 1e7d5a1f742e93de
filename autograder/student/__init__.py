"""What runs beside student code, in the confined process: it executes statements and takes down what names hold.

`warm` is how it begins. Others take programs apart with `program`, which needs no torch.
"""
