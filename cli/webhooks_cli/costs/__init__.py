"""The price of a month of events: a load and measured figures give quantities, and prices make them a bill.

load, figures -> traffic -> bill. Nothing here reads a deployment or opens a connection.
"""
