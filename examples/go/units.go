package stations

// Celsius converts degrees Fahrenheit to degrees Celsius.
func Celsius(fahrenheit float64) float64 {
	return (fahrenheit - 32) / 1.8
}

// Fahrenheit converts degrees Celsius to degrees Fahrenheit.
func Fahrenheit(celsius float64) float64 {
	return celsius*1.8 + 32
}
