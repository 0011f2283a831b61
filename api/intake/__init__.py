"""Events in from outside: CloudEvents over HTTP, and plain records as KafkaSource delivers them."""
