/* eslint-disable */
/**
 * Generated `api` utility.
 *
 * THIS CODE IS AUTOMATICALLY GENERATED.
 *
 * To regenerate, run `npx convex dev`.
 * @module
 */

import type {
  ApiFromModules,
  FilterApi,
  FunctionReference,
} from "convex/server";
import type * as accounts from "../accounts.js";
import type * as crons from "../crons.js";
import type * as demo_access from "../demo/access.js";
import type * as demo_actions from "../demo/actions.js";
import type * as demo_live from "../demo/live.js";
import type * as demo_people from "../demo/people.js";
import type * as demo_seed from "../demo/seed.js";
import type * as enums from "../enums.js";
import type * as model_activities from "../model/activities.js";
import type * as model_agentSkills from "../model/agentSkills.js";
import type * as model_agentTaskStatus from "../model/agentTaskStatus.js";
import type * as model_agents from "../model/agents.js";
import type * as model_behaviorFlags from "../model/behaviorFlags.js";
import type * as model_completion from "../model/completion.js";
import type * as model_deliveryContext from "../model/deliveryContext.js";
import type * as model_documents from "../model/documents.js";
import type * as model_errors from "../model/errors.js";
import type * as model_leases from "../model/leases.js";
import type * as model_limits from "../model/limits.js";
import type * as model_members from "../model/members.js";
import type * as model_mentions from "../model/mentions.js";
import type * as model_messages from "../model/messages.js";
import type * as model_notifications from "../model/notifications.js";
import type * as model_responseRequests from "../model/responseRequests.js";
import type * as model_runtimeStatus from "../model/runtimeStatus.js";
import type * as model_runtimes from "../model/runtimes.js";
import type * as model_serviceToken from "../model/serviceToken.js";
import type * as model_sessions from "../model/sessions.js";
import type * as model_subscriptions from "../model/subscriptions.js";
import type * as model_taskHistory from "../model/taskHistory.js";
import type * as model_taskLists from "../model/taskLists.js";
import type * as model_taskOverview from "../model/taskOverview.js";
import type * as model_taskStatus from "../model/taskStatus.js";
import type * as model_taskUpdate from "../model/taskUpdate.js";
import type * as model_tasks from "../model/tasks.js";
import type * as model_thread from "../model/thread.js";
import type * as service_actions from "../service/actions.js";
import type * as service_agents from "../service/agents.js";
import type * as service_delivery from "../service/delivery.js";
import type * as service_extensions from "../service/extensions.js";
import type * as service_fastPath from "../service/fastPath.js";
import type * as service_runtime from "../service/runtime.js";
import type * as service_toolReads from "../service/toolReads.js";
import type * as service_tools from "../service/tools.js";
import type * as shapes from "../shapes.js";

/**
 * A utility for referencing Convex functions in your app's API.
 *
 * Usage:
 * ```js
 * const myFunctionReference = api.myModule.myFunction;
 * ```
 */
declare const fullApi: ApiFromModules<{
  accounts: typeof accounts;
  crons: typeof crons;
  "demo/access": typeof demo_access;
  "demo/actions": typeof demo_actions;
  "demo/live": typeof demo_live;
  "demo/people": typeof demo_people;
  "demo/seed": typeof demo_seed;
  enums: typeof enums;
  "model/activities": typeof model_activities;
  "model/agentSkills": typeof model_agentSkills;
  "model/agentTaskStatus": typeof model_agentTaskStatus;
  "model/agents": typeof model_agents;
  "model/behaviorFlags": typeof model_behaviorFlags;
  "model/completion": typeof model_completion;
  "model/deliveryContext": typeof model_deliveryContext;
  "model/documents": typeof model_documents;
  "model/errors": typeof model_errors;
  "model/leases": typeof model_leases;
  "model/limits": typeof model_limits;
  "model/members": typeof model_members;
  "model/mentions": typeof model_mentions;
  "model/messages": typeof model_messages;
  "model/notifications": typeof model_notifications;
  "model/responseRequests": typeof model_responseRequests;
  "model/runtimeStatus": typeof model_runtimeStatus;
  "model/runtimes": typeof model_runtimes;
  "model/serviceToken": typeof model_serviceToken;
  "model/sessions": typeof model_sessions;
  "model/subscriptions": typeof model_subscriptions;
  "model/taskHistory": typeof model_taskHistory;
  "model/taskLists": typeof model_taskLists;
  "model/taskOverview": typeof model_taskOverview;
  "model/taskStatus": typeof model_taskStatus;
  "model/taskUpdate": typeof model_taskUpdate;
  "model/tasks": typeof model_tasks;
  "model/thread": typeof model_thread;
  "service/actions": typeof service_actions;
  "service/agents": typeof service_agents;
  "service/delivery": typeof service_delivery;
  "service/extensions": typeof service_extensions;
  "service/fastPath": typeof service_fastPath;
  "service/runtime": typeof service_runtime;
  "service/toolReads": typeof service_toolReads;
  "service/tools": typeof service_tools;
  shapes: typeof shapes;
}>;
export declare const api: FilterApi<
  typeof fullApi,
  FunctionReference<any, "public">
>;
export declare const internal: FilterApi<
  typeof fullApi,
  FunctionReference<any, "internal">
>;
