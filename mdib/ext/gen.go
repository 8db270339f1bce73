package ext

//go:generate go run github.com/semeco/go-sdc/internal/codecgen -dir .
