module millrace/bench/peers/go

go 1.23
