"""What the services share: settings, topics, records, codec, metrics and the hardened Faust app."""
