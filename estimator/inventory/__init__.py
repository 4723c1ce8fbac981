"""Mailboxes, licences and activity reports: whatever export they come in, one `Inventory` comes out."""

from estimator.inventory.inventory import Inventory, read_inventory
from estimator.inventory.recognise import recognise

__all__ = ["Inventory", "read_inventory", "recognise"]
