import { readFileSync } from "node:fs";
import type { ApplicationFunction } from "probot";
import { receiving } from "./doors/webhooks/receiving.ts";
import { home } from "./settings/read-values.ts";
import { loadEnvironment, readSettings } from "./settings.ts";
import { openSignalbox } from "./signalbox.ts";
