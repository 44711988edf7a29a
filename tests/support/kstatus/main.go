// Says what kstatus makes of objects: a JSON list on stdin, one word a line on stdout.
//
// From the library that Helm 4 waits with (go.mod of the control plane pins it); built by building.py.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func main() {
	var objects []map[string]any
	decoder := json.NewDecoder(os.Stdin)
	if err := decoder.Decode(&objects); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, object := range objects {
		// through Unstructured's own decoder: it reads whole numbers as such
		text, err := json.Marshal(object)
		if err != nil {
			panic(err)
		}
		var one unstructured.Unstructured
		if err := one.UnmarshalJSON(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		result, err := status.Compute(&one)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(result.Status)
	}
}
