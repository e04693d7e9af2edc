"""Mạch Tin: streaming services that turn a flood of Vietnamese news into stories."""
