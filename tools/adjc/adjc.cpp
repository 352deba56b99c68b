// adjc: from a model spec to a module of exact gradients.
#include "adjc/Driver/Driver.h"

int main(int argc, char **argv) { return adjc::runAdjc(argc, argv); }
