package eventing
