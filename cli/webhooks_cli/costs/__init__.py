"""What a month of events costs: figures of the event path and a load become quantities, and these a bill.

figures -> traffic -> bill, with offers beside it. Nothing here reads a deployment or connects to anything.
"""
