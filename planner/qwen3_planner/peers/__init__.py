"""What other planners say of a plan, beside our own figures; they are optional and asked lazily."""
