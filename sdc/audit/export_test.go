package audit

// WithFile makes Open take a file of the test.
func WithFile(cfg FileConfig, f file) FileConfig {
	cfg.open = func(string) (file, error) { return f, nil }
	return cfg
}
