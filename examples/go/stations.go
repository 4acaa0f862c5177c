// Package stations summarizes the temperatures that weather stations measure.
package stations

// Reading is one measurement, in degrees Celsius.
type Reading struct {
	Station string
	Celsius float64
}

// Warmest returns the highest temperature of a station, and whether there is one.
func Warmest(readings []Reading, station string) (float64, bool) {
	warmest, found := 0.0, false
	for _, reading := range readings {
		if reading.Station != station {
			continue
		}
		if !found || reading.Celsius > warmest {
			warmest, found = reading.Celsius, true
		}
	}
	return warmest, found
}

// IsFreezing returns whether water freezes at the temperature of a reading.
//
// Unfinished on purpose: complete it with `llm-lsp complete examples/go/stations.go:28`.
func IsFreezing(reading Reading) bool {
	return
}
