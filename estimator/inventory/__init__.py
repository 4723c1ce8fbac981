"""Mailboxes, licences and activity reports: whatever export they come in, one `Inventory` comes out."""

from estimator.inventory.inventory import INVENTORY_KINDS, Inventory, read_inventory
from estimator.inventory.recognise import recognise
from estimator.inventory.settings import Settings

__all__ = ["INVENTORY_KINDS", "Inventory", "Settings", "read_inventory", "recognise"]
