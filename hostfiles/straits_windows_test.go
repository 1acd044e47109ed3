package hostfiles

func writeInStraits(string) {}
