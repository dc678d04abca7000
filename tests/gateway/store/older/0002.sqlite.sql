BEGIN TRANSACTION;
CREATE TABLE "adapters" (
	name TEXT NOT NULL, 
	version TEXT NOT NULL, 
	path TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	base_digest TEXT NOT NULL, 
	rank INTEGER NOT NULL, 
	created_us BIGINT NOT NULL, 
	state TEXT NOT NULL, 
	provenance TEXT NOT NULL, 
	probe TEXT NOT NULL, 
	CONSTRAINT pk_adapters PRIMARY KEY (name, version)
);
INSERT INTO "adapters" VALUES('aiops','1','/adapters/aiops','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',16,1780000000000001,'loaded','','');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE aliases (
	name TEXT NOT NULL, 
	adapter TEXT NOT NULL, 
	changed_us BIGINT NOT NULL, 
	CONSTRAINT pk_aliases PRIMARY KEY (name)
);
INSERT INTO "aliases" VALUES('default','aiops@1',1780000000000000);
CREATE TABLE answers (
	inference_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	written TEXT NOT NULL, 
	sent TEXT NOT NULL, 
	finish_reason TEXT, 
	tool_calls TEXT NOT NULL, 
	tokens TEXT NOT NULL, 
	logprobs TEXT NOT NULL, 
	alternatives TEXT NOT NULL, 
	CONSTRAINT pk_answers PRIMARY KEY (inference_id, number), 
	CONSTRAINT fk_answers_inference_id FOREIGN KEY(inference_id) REFERENCES inferences (id) ON DELETE CASCADE
);
INSERT INTO "answers" VALUES('chatcmpl-0000000000000000000000000000000000000001',0,'Check disk','Check disk','stop','','["Check"," disk"]','[-0.12345678955316544,-1.5]','[[["Check",-0.12345678955316544],["Look",-2.5]],[]]');
CREATE TABLE escalations (
	id TEXT NOT NULL, 
	created_us BIGINT NOT NULL, 
	inference_id TEXT NOT NULL, 
	project TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	document TEXT NOT NULL, 
	CONSTRAINT pk_escalations PRIMARY KEY (id)
);
INSERT INTO "escalations" VALUES('esc-0000000000000000000000000000000000000001',1780000000000001,'chatcmpl-0000000000000000000000000000000000000001','default','requested','{"id":"esc-1","reason":"requested","summary":"wants a person","attempted":[],"diagnostics":{}}');
CREATE TABLE feedback (
	id TEXT NOT NULL, 
	created_us BIGINT NOT NULL, 
	inference_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	project TEXT NOT NULL, 
	number BIGINT, 
	other TEXT, 
	text TEXT NOT NULL, 
	idempotency_key TEXT NOT NULL, 
	user_hash TEXT NOT NULL, 
	CONSTRAINT pk_feedback PRIMARY KEY (id)
);
INSERT INTO "feedback" VALUES('fb-0000000000000000000000000000000000000001',1780000000000001,'chatcmpl-0000000000000000000000000000000000000001','thumbs','default',1,NULL,'','key-1','uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu');
INSERT INTO "feedback" VALUES('fb-0000000000000000000000000000000000000002',1780000000000002,'chatcmpl-0000000000000000000000000000000000000001','thumbs','default',1,NULL,'','key-2','uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu');
CREATE TABLE findings (
	inference_id TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	stage TEXT NOT NULL, 
	check_name TEXT NOT NULL, 
	rule TEXT NOT NULL, 
	severity TEXT NOT NULL, 
	document TEXT NOT NULL, 
	CONSTRAINT pk_findings PRIMARY KEY (inference_id, position), 
	CONSTRAINT fk_findings_inference_id FOREIGN KEY(inference_id) REFERENCES inferences (id) ON DELETE CASCADE
);
INSERT INTO "findings" VALUES('chatcmpl-0000000000000000000000000000000000000001',0,'output','commands','files.delete','critical','{"check":"commands","rule":"files.delete","severity":"critical","span":[0,8],"stage":"output"}');
CREATE TABLE id_keys (
	number INTEGER NOT NULL, 
	secret BLOB NOT NULL, 
	created_us BIGINT NOT NULL, 
	CONSTRAINT pk_id_keys PRIMARY KEY (number)
);
INSERT INTO "id_keys" VALUES(1,X'00FA07D73B23DDD293DE5EBD3E73454C273E9C881263D79F961D7BFE51649C4E',1795631312561736);
CREATE TABLE inferences (
	id TEXT NOT NULL, 
	created_us BIGINT NOT NULL, 
	api TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	action TEXT NOT NULL, 
	alias TEXT NOT NULL, 
	adapter TEXT NOT NULL, 
	base_model TEXT NOT NULL, 
	project TEXT NOT NULL, 
	policy_digest TEXT NOT NULL, 
	rules_digest TEXT NOT NULL, 
	base_digest TEXT NOT NULL, 
	template_digest TEXT NOT NULL, 
	vllm_version TEXT NOT NULL, 
	logprobs_mode TEXT NOT NULL, 
	user_hash TEXT NOT NULL, 
	conversation_id TEXT NOT NULL, 
	streamed BOOLEAN NOT NULL, 
	stored BOOLEAN NOT NULL, 
	prompt_tokens INTEGER, 
	completion_tokens INTEGER, 
	total_us BIGINT NOT NULL, 
	guard_input_us BIGINT NOT NULL, 
	guard_output_us BIGINT NOT NULL, 
	engine_us BIGINT, 
	first_token_us BIGINT, 
	error TEXT NOT NULL, 
	request TEXT NOT NULL, 
	unchecked TEXT NOT NULL, 
	escalation TEXT NOT NULL, 
	CONSTRAINT pk_inferences PRIMARY KEY (id)
);
INSERT INTO "inferences" VALUES('chatcmpl-0000000000000000000000000000000000000001',1780000000000001,'chat','completed',200,'allow','default','base','SmolLM2-135M-Instruct','default','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','0.32.0','processed_logprobs','uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu','c-1',0,1,12,2,9000,120,80,8500,2000,'','{"model":"default","messages":[{"role":"user","content":"disk full"}],"temperature":0.7,"top_p":0.9,"seed":7,"max_tokens":64,"stop":["END"],"wardgate":{"conversation_id":"c-1"}}','[{"check":"harm","reason":"budget"}]','{"id":"e"}');
CREATE TABLE registry_changes (
	number INTEGER NOT NULL, 
	changed_us BIGINT NOT NULL, 
	subject TEXT NOT NULL, 
	name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	"before" TEXT NOT NULL, 
	"after" TEXT NOT NULL, 
	who TEXT NOT NULL, 
	why TEXT NOT NULL, 
	CONSTRAINT pk_registry_changes PRIMARY KEY (number)
);
INSERT INTO "registry_changes" VALUES(1,1780000000000000,'adapter','aiops@1','registered','','registered','home','it was better');
INSERT INTO "registry_changes" VALUES(2,1780000000000000,'alias','default','made','','base','home','it was better');
INSERT INTO "registry_changes" VALUES(3,1780000000000000,'adapter','aiops@1','loaded','registered','loaded','home','it was better');
INSERT INTO "registry_changes" VALUES(4,1780000000000000,'alias','default','promoted','base','aiops@1','home','it was better');
CREATE TABLE retractions (
	feedback_id TEXT NOT NULL, 
	project TEXT NOT NULL, 
	retracted_us BIGINT NOT NULL, 
	CONSTRAINT pk_retractions PRIMARY KEY (feedback_id)
);
INSERT INTO "retractions" VALUES('fb-0000000000000000000000000000000000000001','default',1780000000000500);
CREATE INDEX ix_inferences_created_us_id ON inferences (created_us, id);
CREATE INDEX ix_inferences_project_created_us ON inferences (project, created_us);
CREATE INDEX ix_inferences_conversation_id_created_us ON inferences (conversation_id, created_us);
CREATE INDEX ix_findings_check_name_rule ON findings (check_name, rule);
CREATE INDEX ix_feedback_inference_id ON feedback (inference_id);
CREATE INDEX ix_feedback_created_us_id ON feedback (created_us, id);
CREATE INDEX ix_escalations_inference_id ON escalations (inference_id);
CREATE INDEX ix_escalations_created_us_id ON escalations (created_us, id);
CREATE INDEX ix_registry_changes_subject_name_number ON registry_changes (subject, name, number);
COMMIT;
