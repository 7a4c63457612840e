"""The numbers this project promises, each measured side by side with the program it is held to."""
