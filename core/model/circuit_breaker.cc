#include "core/model/circuit_breaker.h"
