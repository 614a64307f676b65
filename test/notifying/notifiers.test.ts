import { notifierContract } from "../contracts/notifier.ts";
import { startDiscord, startReceiver, startSlack, startTeams } from "./chat-servers.ts";

notifierContract("slack", startSlack);
notifierContract("discord", startDiscord);
notifierContract("teams", startTeams);
notifierContract("webhook", startReceiver);
