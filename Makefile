.PHONY: demo test all
demo:
	./run demo
test:
	./run test
all:
	./run test --all
