"""The Nova Corrente lakehouse: ERP changes to checked, served marts."""
