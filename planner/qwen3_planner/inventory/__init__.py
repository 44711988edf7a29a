"""What hardware there is: short form, inventory file or Kubernetes nodes -> Inventory."""
