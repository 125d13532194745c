"""The demonstration speech model: what it is made from (`make_model`) and what came out (`model`).

A workshop beside the product: no room imports it. The product only reads the finished folder `model/`.
"""
