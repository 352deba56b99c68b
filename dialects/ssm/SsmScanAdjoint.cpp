#include "ssm/SsmOps.h"
