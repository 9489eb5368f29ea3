package greeting

import "testing"

func TestGreet(t *testing.T) {
	if text := Greet("ada"); text != "Hello, Ada!" {
		t.Errorf("Greet returned %q", text)
	}
}
