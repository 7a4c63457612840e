"""The chain of steps, for the command line and for Airflow alike."""
