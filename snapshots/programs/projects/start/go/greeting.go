// Package greeting greets people, with the help of C.
package greeting

// #include <stdlib.h>
// char *greeting(const char *name);
import "C"

import "unsafe"

// Greet returns a greeting.
func Greet(name string) string {
	cName := C.CString(name)
	defer C.free(unsafe.Pointer(cName))
	text := C.greeting(cName)
	defer C.free(unsafe.Pointer(text))
	return C.GoString(text)
}
