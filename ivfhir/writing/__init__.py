"""What the stage write_back is made of: transaction, reading back, withdrawing copies."""
