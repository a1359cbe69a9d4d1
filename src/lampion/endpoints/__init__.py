"""Where other AWS services are reached, and the signed client that asks them; knows nothing of what is asked."""
