"""What results are compared with: two small servers that never change, so that ratios of different days compare."""
